# Figures of each experiment.
#
# In:   model.h5, projection.h5.
# Out:  plots/*.svg.


rule plot_spectrum:
    """Explained variance of the components, with error bounds."""
    input:
        model=paths.MODEL,
        projection=paths.PROJECTION,
    output:
        figure=report(
            paths.SPECTRUM,
            caption="../report/spectrum.rst",
            category="Spectrum",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
            },
        ),
        usage=paths.usage("plot_spectrum"),
    log:
        paths.log("plot_spectrum"),
    benchmark:
        paths.benchmark("plot_spectrum")
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_spectrum"),
    params:
        **plan.params("plot_spectrum"),
    message:
        paths.message("plot_spectrum")
    script:
        "../scripts/plot_spectrum.py"


rule plot_components:
    """The waveforms of the components."""
    input:
        model=paths.MODEL,
    output:
        figure=report(
            paths.COMPONENTS,
            caption="../report/components.rst",
            category="Components",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
            },
        ),
        usage=paths.usage("plot_components"),
    log:
        paths.log("plot_components"),
    benchmark:
        paths.benchmark("plot_components")
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_components"),
    params:
        **plan.params("plot_components"),
    message:
        paths.message("plot_components")
    script:
        "../scripts/plot_components.py"


rule plot_scores:
    """Scores: components against each other, and along the recordings."""
    input:
        model=paths.MODEL,
        projection=paths.PROJECTION,
    output:
        against_each_other=report(
            paths.SCORES,
            caption="../report/scores.rst",
            category="Scores",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
                "figure": "against each other",
            },
        ),
        in_time=report(
            paths.SCORES_IN_TIME,
            caption="../report/scores-in-time.rst",
            category="Scores",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
                "figure": "in time",
            },
        ),
        usage=paths.usage("plot_scores"),
    log:
        paths.log("plot_scores"),
    benchmark:
        paths.benchmark("plot_scores")
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_scores"),
    params:
        **plan.params("plot_scores"),
    message:
        paths.message("plot_scores")
    script:
        "../scripts/plot_scores.py"


rule plot_reconstruction:
    """Reconstruction error of the windows, along the recordings."""
    input:
        model=paths.MODEL,
        projection=paths.PROJECTION,
    output:
        figure=report(
            paths.RECONSTRUCTION,
            caption="../report/reconstruction.rst",
            category="Reconstruction error",
            labels={
                "dataset": "{dataset}",
                "features": "{features}",
                "model": "{model}",
            },
        ),
        usage=paths.usage("plot_reconstruction"),
    log:
        paths.log("plot_reconstruction"),
    benchmark:
        paths.benchmark("plot_reconstruction")
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_reconstruction"),
    params:
        **plan.params("plot_reconstruction"),
    message:
        paths.message("plot_reconstruction")
    script:
        "../scripts/plot_reconstruction.py"
