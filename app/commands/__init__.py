"""One module a command, loaded when the command is called: `run(arguments) -> exit code`."""
