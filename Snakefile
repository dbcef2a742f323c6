# memwave: PCA of wavelet features of long recordings, in bounded memory.
#
# In:   the configuration (config/README.md), which names sheets of recordings.
# Out:  results/<dataset>/<features>/<model>/model.h5, projection.h5 and plots/,
#       results/summary.tsv: all experiments compared.
#
#   recordings -> features -> model -> projection -> figures, summary
#
# A job is a process whose memory and, on a cluster, time are known beforehand, from sizes alone.
# Inputs marked `ancient` may be touched: their checksums tell whether they changed, not their times.

import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.current_basedir) / "scripts"))

from memwave.workflow import paths
from memwave.workflow.planning import inputs
from memwave.workflow.process import end_messages
from memwave.workflow.process.job_lines import print_job_lines
from memwave.workflow.process.script_path import import_own_modules
from memwave.workflow.process.termination import install_sigterm_handler
from memwave.workflow.rules import open_rules

import_own_modules()


# A configuration that is given (--configfile) stands alone.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "report/workflow.rst"


plan = open_rules(
    config,
    is_planning=workflow.is_main_process,
    submits=lambda: workflow.non_local_exec,
)


wildcard_constraints:
    dataset="[A-Za-z0-9_-]+",
    recording="[0-9]+",
    features="[A-Za-z0-9_-]+",
    model="[A-Za-z0-9_-]+",
    shard="[0-9]+-of-[0-9]+",


localrules:
    all,


rule all:
    """Everything that the experiments ask for."""
    input:
        plan.of_experiments(paths.MODEL, paths.PROJECTION),
        paths.SUMMARY,
        plan.figures(),
    message:
        "all"


include: "rules/recordings.smk"
include: "rules/features.smk"
include: "rules/model.smk"
include: "rules/projection.smk"
include: "rules/figures.smk"
include: "rules/summary.smk"


onstart:
    install_sigterm_handler()
    print_job_lines(len(workflow.dag))


onerror:
    print(end_messages.failure(plan.plan, end_messages.outcome_of(workflow.dag)))


onsuccess:
    print(
        end_messages.success(
            plan.plan,
            end_messages.outcome_of(workflow.dag),
            end_messages.snakemake_command(
                workflow.overwrite_configfiles,
                workflow.config_settings.config,
                workflow.main_snakefile,
                workflow.workdir_init,
            ),
        )
    )
