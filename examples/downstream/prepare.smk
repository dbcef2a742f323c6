# Before memwave: makes the recordings of recordings.tsv.

import csv
from pathlib import Path


configfile: "config.yaml"


with open(config["memwave"]["datasets"]["activities"]["recordings"]) as sheet:
    PREPARED = [row["path"] for row in csv.DictReader(sheet, delimiter="\t")]


localrules:
    all,


rule all:
    input:
        PREPARED,


rule remove_gravity:
    """Keep the accelerometer, without its slow part."""
    input:
        Path(config["raw"], "{recording}.npy"),
    output:
        "recordings/{recording}.npy",
    log:
        "logs/remove_gravity/{recording}.log",
    params:
        cutoff=config["cutoff"],
        rate=config["memwave"]["datasets"]["activities"]["sampling_rate"],
    script:
        "scripts/remove_gravity.py"
