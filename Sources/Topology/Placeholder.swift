// Replaced by the first file of Topology.
