"""Every contact with the outside world: one module for each channel, the web server in web/, Asterisk in phone/."""
