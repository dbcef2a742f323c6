# Recordings: conversion, and statistics of the channels.
#
# In:   the files that the sheets name.
# Out:  recordings and labels in formats that can be read by slices; statistics of the channels.
#
# A conversion of many files has one output for Snakemake, which it writes last: its receipt. Each
# file has a receipt, too. A job that reads a converted file is repeated if the plan of this file has
# changed, and not because others of its batch were converted: `plan.conversions` sees to it.


rule convert_recordings:
    """Recordings in formats that cannot be read by slices -> .npy, once; a job for many small ones."""
    input:
        source=ancient(plan.files(inputs.source_files)),
    output:
        usage=paths.usage("convert_recordings"),
    log:
        paths.log("convert_recordings"),
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("convert_recordings"),
    params:
        **plan.params("convert_recordings"),
    message:
        paths.message("convert_recordings")
    script:
        "../scripts/convert_recordings.py"


rule convert_labels:
    """Labels that are texts, of intervals or rows -> one number per row, once."""
    input:
        source=ancient(plan.files(inputs.label_source_files)),
    output:
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
        unpack(
            plan.inputs(
                recordings=plan.ancient(inputs.train_recordings),
                converted_recordings=plan.conversions(
                    "measure_channels", inputs.converted_train
                ),
            )
        ),
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
