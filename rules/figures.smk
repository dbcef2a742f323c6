# Figures of each experiment.
#
# In:   model.h5, projection.h5, contributions.h5; for explore.html, what the features are read from.
# Out:  plots/*.svg, explore.html.


rule plot_experiment:
    """All figures of an experiment."""
    input:
        model=paths.MODEL,
        projection=paths.PROJECTION,
        contributions=paths.CONTRIBUTIONS,
    output:
        spectrum=report(
            paths.SPECTRUM,
            caption="../report/spectrum.rst",
            category="Spectrum",
            labels=paths.LABELS,
        ),
        components=report(
            paths.COMPONENTS,
            caption="../report/components.rst",
            category="Components",
            labels=paths.LABELS,
        ),
        scores=report(
            paths.SCORES,
            caption="../report/scores.rst",
            category="Scores",
            labels=paths.LABELS | {"figure": "against each other"},
        ),
        scores_in_time=report(
            paths.SCORES_IN_TIME,
            caption="../report/scores-in-time.rst",
            category="Scores",
            labels=paths.LABELS | {"figure": "in time"},
        ),
        reconstruction=report(
            paths.RECONSTRUCTION,
            caption="../report/reconstruction.rst",
            category="Reconstruction error",
            labels=paths.LABELS,
        ),
        monitoring=report(
            paths.MONITORING,
            caption="../report/monitoring.rst",
            category="Monitoring",
            labels=paths.LABELS | {"figure": "along the recordings"},
        ),
        highest=report(
            paths.HIGHEST,
            caption="../report/highest-windows.rst",
            category="Monitoring",
            labels=paths.LABELS | {"figure": "the highest windows"},
        ),
        usage=paths.usage("plot_experiment"),
    log:
        paths.log("plot_experiment"),
    priority: -1  # after all fits and projections, which other jobs wait for
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_experiment"),
    params:
        **plan.params("plot_experiment"),
    message:
        paths.message("plot_experiment")
    script:
        "../scripts/plot_experiment.py"


rule plot_explore:
    """A page that shows an experiment in a browser."""
    input:
        unpack(
            plan.inputs(
                valid=inputs.valid_windows,
                shards=plan.ancient(inputs.stored_shards),
                rows=plan.ancient(inputs.rows_not_stored),
                converted_rows=plan.conversions(
                    "plot_explore", inputs.converted_rows_not_stored
                ),
            )
        ),
        model=paths.MODEL,
        projection=paths.PROJECTION,
    output:
        page=paths.EXPLORE,
        usage=paths.usage("plot_explore"),
    log:
        paths.log("plot_explore"),
    priority: -1
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_explore"),
    params:
        **plan.params("plot_explore"),
    message:
        paths.message("plot_explore")
    script:
        "../scripts/plot_explore.py"
