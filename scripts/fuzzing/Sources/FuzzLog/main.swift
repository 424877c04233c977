import Fuzzing

FuzzProgram.run([.checkpoints, .recovery, .dump])
