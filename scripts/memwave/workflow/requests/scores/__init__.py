"""How jobs project: the scores of a shard, and those of all shards in a projection."""
