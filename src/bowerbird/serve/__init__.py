"""What people and programs meet: the command line, the HTTP server and the web pages."""
