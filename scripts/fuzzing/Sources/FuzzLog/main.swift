import Fuzzing

FuzzProgram.run([.checkpoints, .producerSnapshot, .transactionIndex, .leaderEpochs, .recovery, .dump])
