"""Files of every kind that siting reads, mutated: no defect, no hang, no gigabyte may come of one."""
