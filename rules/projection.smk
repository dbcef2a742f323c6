# Projections: scores of all windows, and the measured accuracy of the model.
#
# In:   model.h5; feature shards, or recordings if features are not stored; labels.
# Out:  projection.h5, provenance.json, limits.tsv, alarms.tsv, contributions.h5.
#
# A single shard is projected by write_projection, and so are several that are small together.


rule project_features:
    """Scores of a shard, and sums that measure the accuracy of the model."""
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows_of_shard,
                shard=plan.ancient(inputs.shard),
                checksums=inputs.checksums_of_shard,
                matrix=plan.ancient(inputs.matrix_of_shard),
                converted_matrix=plan.conversions(
                    "project_features", inputs.converted_of_matrix
                ),
            )
        ),
        model=paths.MODEL,
    output:
        partial=temp(paths.FEATURE_PROJECTION),
        usage=paths.usage("project_features"),
    log:
        paths.log("project_features"),
    priority: 3  # later stages first: what they read was written just now
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("project_features"),
    params:
        **plan.params("project_features"),
    message:
        paths.message("project_features")
    script:
        "../scripts/project_features.py"


rule project_recordings:
    """Scores of a shard from recordings, block by block, if features are not stored."""
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows_of_shard,
                recordings=plan.ancient(inputs.recordings_of_shard),
                converted_recordings=plan.conversions(
                    "project_recordings", inputs.converted_of_shard
                ),
                channels=inputs.channels,
            )
        ),
        model=paths.MODEL,
    output:
        partial=temp(paths.RECORDING_PROJECTION),
        usage=paths.usage("project_recordings"),
    log:
        paths.log("project_recordings"),
    priority: 3
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("project_recordings"),
    params:
        **plan.params("project_recordings"),
    message:
        paths.message("project_recordings")
    script:
        "../scripts/project_recordings.py"


rule write_projection:
    """Scores of all windows, with recording, start row, label and split.

    The scores are those of the partial projections, if there are any, or are computed here.
    """
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows,
                partials=inputs.partial_projections,
                labels=plan.ancient(inputs.labels),
                converted_labels=plan.conversions(
                    "write_projection", inputs.converted_labels
                ),
                checksums=inputs.shard_checksums,
                model_limits=inputs.limits_of_applied_model,
                shards=plan.ancient(inputs.stored_shards),
                rows=plan.ancient(inputs.rows_not_stored),
                converted_rows=plan.conversions(
                    "write_projection", inputs.converted_rows_not_stored
                ),
                channels=inputs.channels,
            )
        ),
        model=paths.MODEL,
    output:
        projection=paths.PROJECTION,
        provenance=paths.PROVENANCE,
        limits=paths.LIMITS,
        alarms=paths.ALARMS,
        contributions=paths.CONTRIBUTIONS,
        usage=paths.usage("write_projection"),
    log:
        paths.log("write_projection"),
    priority: 3
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("write_projection"),
    params:
        **plan.params("write_projection"),
    message:
        paths.message("write_projection")
    script:
        "../scripts/write_projection.py"
