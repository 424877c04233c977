import Fuzzing

FuzzProgram.run(
    sampleFormatTargets + [FuzzTarget.selector, .labels, .pattern, .formatChoice, .number, .duration, .chunk])
