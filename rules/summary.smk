# Summary: all experiments together.
#
# In:   models, projections, and the measured time and memory of every job.
# Out:  results/summary.tsv, summary.html and plots/.


rule write_summary:
    """One row per experiment: sizes, accuracy, time and memory."""
    input:
        models=plan.of_experiments(paths.MODEL),
        projections=ancient(plan.of_experiments(paths.PROJECTION)),
        usages=plan.files(inputs.usages),
    output:
        summary=paths.SUMMARY,
        table=report(
            paths.SUMMARY_PAGE,
            caption="../report/summary.rst",
            category="Comparison",
            labels={"figure": "table of all experiments"},
        ),
        usage=paths.usage("write_summary"),
    log:
        paths.log("write_summary"),
    benchmark:
        paths.benchmark("write_summary")
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("write_summary"),
    params:
        **plan.params("write_summary"),
    message:
        paths.message("write_summary")
    script:
        "../scripts/write_summary.py"


rule plot_comparison:
    """Accuracy of the models against time and memory."""
    input:
        summary=paths.SUMMARY,
    output:
        figure=report(
            paths.COMPARISON,
            caption="../report/comparison.rst",
            category="Comparison",
            labels={"figure": "accuracy, time and memory"},
        ),
        usage=paths.usage("plot_comparison"),
    log:
        paths.log("plot_comparison"),
    benchmark:
        paths.benchmark("plot_comparison")
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_comparison"),
    params:
        **plan.params("plot_comparison"),
    message:
        paths.message("plot_comparison")
    script:
        "../scripts/plot_comparison.py"


rule plot_memory:
    """Predicted and measured memory of every stage."""
    input:
        summary=paths.SUMMARY,
    output:
        figure=report(
            paths.MEMORY,
            caption="../report/memory.rst",
            category="Comparison",
            labels={"figure": "memory"},
        ),
        usage=paths.usage("plot_memory"),
    log:
        paths.log("plot_memory"),
    benchmark:
        paths.benchmark("plot_memory")
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_memory"),
    params:
        **plan.params("plot_memory"),
    message:
        paths.message("plot_memory")
    script:
        "../scripts/plot_memory.py"
