"""The HTTP server: citizens' pages, the operators' pages, the JSON API, health and metrics. One file a page family."""
