# Models: PCA fitted to features, PCA fitted to recordings, or an applied model.
#
# In:   feature shards, or recordings.
# Out:  model.h5.
#
# A single shard is summarized by fit_model, unless summaries are kept. It makes the lag sums of
# several itself, too, where they are short.


rule summarize_features:
    """Sufficient statistics of a shard for a solver that reads the features once."""
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows_of_shard,
                shard=plan.ancient(inputs.shard),
                checksums=inputs.checksums_of_shard,
                matrix=plan.ancient(inputs.matrix_of_shard),
                converted_matrix=plan.conversions(
                    "summarize_features", inputs.converted_of_matrix
                ),
                measures=inputs.feature_measures,
            )
        ),
    output:
        summary=plan.temporary(paths.FEATURE_SUMMARY, temp),
        usage=paths.usage("summarize_features"),
    log:
        paths.log("summarize_features"),
    priority: 1  # later stages first: what they read was written just now
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("summarize_features"),
    params:
        **plan.params("summarize_features"),
    message:
        paths.message("summarize_features")
    script:
        "../scripts/summarize_features.py"


rule summarize_lags:
    """Lag sums of recordings over the windows of a shard, for a solver that needs no features."""
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows_of_shard,
                recordings=plan.ancient(inputs.train_recordings_of_shard),
                converted_recordings=plan.conversions(
                    "summarize_lags", inputs.converted_train_of_shard
                ),
                channels=inputs.channels,
            )
        ),
    output:
        summary=plan.temporary(paths.LAG_SUMMARY, temp),
        usage=paths.usage("summarize_lags"),
    log:
        paths.log("summarize_lags"),
    priority: 1  # fits that need no features first, beside jobs that wait for the disk
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("summarize_lags"),
    params:
        **plan.params("summarize_lags"),
    message:
        paths.message("summarize_lags")
    script:
        "../scripts/summarize_lags.py"


rule fit_model:
    """PCA: from the summaries, merged in order, or from shards or recordings in several passes."""
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows,
                summaries=inputs.summaries,
                shards=plan.ancient(inputs.fitted_shards),
                checksums=inputs.fitted_shard_checksums,
                recordings=plan.ancient(inputs.fitted_recordings),
                converted_recordings=plan.conversions(
                    "fit_model", inputs.converted_fitted
                ),
                matrix=plan.ancient(inputs.fitted_matrix),
                converted_matrix=plan.conversions(
                    "fit_model", inputs.converted_fitted_matrix
                ),
                measures=inputs.feature_measures,
                channels=inputs.channels,
            )
        ),
    output:
        model=paths.MODEL,
        usage=paths.usage("fit_model"),
    log:
        paths.log("fit_model"),
    wildcard_constraints:
        model=plan.fitted,
    priority: 2
    conda:
        "../envs/memwave.yaml"
    threads: plan.threads
    resources:
        **plan.resources("fit_model"),
    params:
        **plan.params("fit_model"),
    message:
        paths.message("fit_model")
    script:
        "../scripts/fit_model.py"


rule adopt_model:
    """A copy of a fitted model, if the model is applied to new recordings."""
    input:
        fitted=plan.files(inputs.applied_model),
    output:
        model=paths.MODEL,
        usage=paths.usage("adopt_model"),
    log:
        paths.log("adopt_model"),
    wildcard_constraints:
        model=plan.applied,
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("adopt_model"),
    params:
        **plan.params("adopt_model"),
    message:
        paths.message("adopt_model")
    script:
        "../scripts/adopt_model.py"
