"""A TurboGears site for Socket.IO clients of all generations: `make demo`, or `gearbox --relative serve -c
demo/development.ini`.

    site.py                                     the root controller and the application
    lobby.py chat.py workshop.py pingpong.py    a namespace each, with the page that uses it in templates/ and static/
    clients.py                                  the five JavaScript clients
"""
