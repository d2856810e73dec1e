"""Assessment → one page, in the terminal, Markdown, HTML and JSON."""
