# memwave: PCA of wavelet features of long recordings, in bounded memory.
#
# In:   the configuration (config/README.md), which names the sheets of recordings.
# Out:  results/<dataset>/<features>/<model>/model.h5, projection.h5 and plots/;
#       results/summary.tsv, which compares all experiments (results/runs/<name>/ of a configuration
#       with a name).
#
#   recordings -> features -> model -> projection -> figures, summary
#
# Each job is a process. The limits of its memory and, on a cluster, of its time are computed before
# the run, from sizes alone. The times of inputs marked `ancient` are ignored: a job is repeated if
# their checksums change.

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The folder of this file: also where it is linked to, included, or used as a module.
HERE = (
    Path(workflow.included_stack[-1].get_path_or_uri(secret_free=True)).resolve().parent
)

if not (HERE / "scripts").is_dir():
    raise WorkflowError(
        f"{workflow.included_stack[-1].get_path_or_uri(secret_free=True)}: the scripts of memwave "
        "are not beside its Snakefile. Snakemake reads single files from a repository on the web, "
        "but memwave needs its folder: clone the repository, and give the path of the Snakefile "
        "in the clone. docs/deploy.md has an example."
    )

sys.path.insert(0, str(HERE / "scripts"))

from memwave.workflow import paths
from memwave.workflow.planning import inputs
from memwave.workflow.process import end_messages
from memwave.workflow.process.job_lines import print_job_lines
from memwave.workflow.process.script_path import import_own_modules
from memwave.workflow.process.termination import (
    cancel_timers,
    install_interrupt_message,
    install_sigterm_handler,
    note_interrupts,
    was_interrupted,
)
from memwave.workflow.rules.opening import check_config_files, open_rules

import_own_modules()

if workflow.is_main_process:
    install_interrupt_message()

# A configuration that is given (--configfile) stands alone.
DEFAULTS = [] if workflow.overwrite_configfiles else ["config/config.yaml"]

if not workflow.modifier.skip_configfile:
    check_config_files(workflow.configfiles, sys.argv[1:], DEFAULTS)

if DEFAULTS:

    configfile: "config/config.yaml"


report: f"{HERE}/report/workflow.rst"


plan = open_rules(
    config,
    is_planning=workflow.is_main_process,
    submits=lambda: workflow.non_local_exec,
    repeat=lambda files: workflow.dag.forcefiles.update(files),
    ancient=ancient,
    as_it_is=lambda file: ancient(before_update(file)),
    # Snakemake runs the `onstart` of the outer workflow only.
    starts=lambda: workflow.modifier.is_module and not workflow.dryrun,
)


plan.require_reported(sys.argv[1:])


wildcard_constraints:
    **plan.names,


localrules:
    all,


rule all:
    """All results of the experiments."""
    input:
        plan.of_experiments(paths.MODEL, *paths.OUTPUTS["write_projection"]),
        plan.of_run(paths.SUMMARY),
        plan.of_run(paths.SUMMARY_PAGE),
        plan.figures(),
    message:
        "all"


include: f"{HERE}/rules/recordings.smk"
include: f"{HERE}/rules/features.smk"
include: f"{HERE}/rules/model.smk"
include: f"{HERE}/rules/projection.smk"
include: f"{HERE}/rules/figures.smk"
include: f"{HERE}/rules/summary.smk"


onstart:
    note_interrupts()
    install_sigterm_handler()
    plan.start()
    print_job_lines(len(workflow.dag))


onerror:
    cancel_timers()
    print(
        end_messages.failure(
            plan.plan,
            end_messages.outcome_of(workflow.dag),
            interrupted=was_interrupted(),
        ),
        file=sys.stderr,
    )


onsuccess:
    cancel_timers()
    print(
        end_messages.success(
            plan.plan,
            end_messages.outcome_of(workflow.dag),
            end_messages.snakemake_command(
                workflow.overwrite_configfiles,
                workflow.config_settings.config,
                workflow.main_snakefile,
                moved=end_messages.has_moved(workflow),
            ),
            moved=end_messages.has_moved(workflow),
        )
    )
