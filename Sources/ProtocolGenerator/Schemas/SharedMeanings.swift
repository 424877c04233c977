// What the fields mean that many messages have.

let throttleTimeMeaning = "Milliseconds that the request was held back by a quota; 0 if it was not."
let groupInstanceMeaning = "The static member's id, chosen by its user (KIP-345); null for a dynamic member."
let generationMeaning = "The group's generation, which grows with each rebalance."
let memberMeaning = "The member's id, given by the coordinator."
let leaderEpochMeaning = "The partition's leader epoch; -1 if unknown."
let currentLeaderEpochMeaning = "The leader epoch that the client knows, to be refused if it is old; -1 for none."
let isolationLevelMeaning = "0 reads all records, 1 only committed transactions."
let replicaMeaning = "The follower's broker id; -1 for a client."
let authorizedOperationsMeaning = "A bit field of what the caller may do; Int32.min if it was not asked for."
let userDataMeaning = "Bytes of the assignor's own."
let resourceTypeMeaning = "2 for a topic, 4 for a broker, 8 for a broker's log levels."
let resourceNameMeaning = "The topic's name, or the broker's id as text."
