# Summary: all experiments together.
#
# In:   models, projections, and the measured time and memory of every job.
# Out:  summary.tsv, summary.html and plots/, in results/ or results/runs/<name>/.


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


rule plot_summary:
    """Accuracy of the models against time and memory, and memory of every stage."""
    input:
        summary=paths.SUMMARY,
    output:
        comparison=report(
            paths.COMPARISON,
            caption="../report/comparison.rst",
            category="Comparison",
            labels={"figure": "accuracy, time and memory"},
        ),
        memory=report(
            paths.MEMORY,
            caption="../report/memory.rst",
            category="Comparison",
            labels={"figure": "memory"},
        ),
        usage=paths.usage("plot_summary"),
    log:
        paths.log("plot_summary"),
    priority: -1
    conda:
        "../envs/memwave.yaml"
    resources:
        **plan.resources("plot_summary"),
    params:
        **plan.params("plot_summary"),
    message:
        paths.message("plot_summary")
    script:
        "../scripts/plot_summary.py"
