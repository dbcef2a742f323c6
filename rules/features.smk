# Features: wavelet coefficients of sliding windows, in shards.
#
# In:   recordings; statistics of the channels.
# Out:  features/<shard>.npy and its checksums; valid windows; statistics of the features.


rule find_gaps:
    """The valid windows of a shard (without missing values), if other windows are dropped."""
    input:
        unpack(
            plan.inputs(
                recordings=plan.ancient(inputs.recordings_of_shard),
                converted_recordings=plan.conversions(
                    "find_gaps", inputs.converted_of_shard
                ),
            )
        ),
    output:
        valid=paths.VALID_WINDOWS,
        usage=paths.usage("find_gaps"),
    log:
        paths.log("find_gaps"),
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("find_gaps"),
    params:
        **plan.params("find_gaps"),
    message:
        paths.message("find_gaps")
    script:
        "../scripts/find_gaps.py"


rule extract_features:
    """Wavelet features of the windows of a shard: recordings -> .npy, one row per window."""
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows_of_shard,
                recordings=plan.ancient(inputs.recordings_of_shard),
                converted_recordings=plan.conversions(
                    "extract_features", inputs.converted_of_shard
                ),
                channels=inputs.channels,
            )
        ),
    output:
        shard=paths.SHARD,
        checksums=paths.SHARD_CHECKSUMS,
        usage=paths.usage("extract_features"),
    log:
        paths.log("extract_features"),
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("extract_features"),
    params:
        **plan.params("extract_features"),
    message:
        paths.message("extract_features")
    script:
        "../scripts/extract_features.py"


rule measure_features:
    """Mean and standard deviation of each feature in a shard, if a model standardizes."""
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows_of_shard,
                shard=plan.ancient(inputs.shard),
                checksums=inputs.checksums_of_shard,
                matrix=plan.ancient(inputs.matrix_of_shard),
                converted_matrix=plan.conversions(
                    "measure_features", inputs.converted_of_matrix
                ),
            )
        ),
    output:
        measures=plan.temporary(paths.FEATURE_MEASURES, temp),
        usage=paths.usage("measure_features"),
    log:
        paths.log("measure_features"),
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("measure_features"),
    params:
        **plan.params("measure_features"),
    message:
        paths.message("measure_features")
    script:
        "../scripts/measure_features.py"
