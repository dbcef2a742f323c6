# Recordings: conversion, and statistics of the channels.
#
# In:   the files that the sheets name.
# Out:  recordings and labels in formats that can be read by slices; statistics of the channels.


rule convert_recording:
    """A recording in a format that cannot be read by slices -> .npy, once."""
    input:
        source=ancient(plan.files(inputs.source_files)),
    output:
        converted=paths.CONVERTED_RECORDING,
        checksums=paths.CONVERTED_CHECKSUMS,
        usage=paths.usage("convert_recording"),
    log:
        paths.log("convert_recording"),
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("convert_recording"),
    params:
        **plan.params("convert_recording"),
    message:
        paths.message("convert_recording")
    script:
        "../scripts/convert_recording.py"


rule convert_labels:
    """Labels that are texts, of intervals or rows -> one number per row, once."""
    input:
        source=ancient(plan.files(inputs.label_source_files)),
    output:
        labels=paths.CONVERTED_LABELS,
        usage=paths.usage("convert_labels"),
    log:
        paths.log("convert_labels"),
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("convert_labels"),
    params:
        **plan.params("convert_labels"),
    message:
        paths.message("convert_labels")
    script:
        "../scripts/convert_labels.py"


rule measure_channels:
    """Mean, standard deviation and quartiles of the channels, if channels are scaled by them."""
    input:
        recordings=ancient(plan.files(inputs.train_recordings)),
        converted_recordings=plan.files(inputs.converted_train),
    output:
        table=paths.CHANNELS,
        usage=paths.usage("measure_channels"),
    log:
        paths.log("measure_channels"),
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("measure_channels"),
    params:
        **plan.params("measure_channels"),
    message:
        paths.message("measure_channels")
    script:
        "../scripts/measure_channels.py"
