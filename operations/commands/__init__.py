"""The commands of `sidb`, one file each: arguments and exit codes. What they do stands in modules of their own."""
