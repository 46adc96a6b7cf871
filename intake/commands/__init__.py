"""The command line, one file for each group of commands. Nothing else imports these."""
