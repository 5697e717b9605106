"""How text travels: WSGI in, WSGI out."""
