import Fuzzing

FuzzProgram.run([.request, .response, .data, .frames, .catalog, .transactionRecord])
