"""What every other package stands on: units, errors, random numbers, kernels' settings, tables, the venue protocol."""
