"""The answers of the commands for language models: a read-only MCP server over one store."""
