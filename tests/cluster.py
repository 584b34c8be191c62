"""What tests know of the PostgreSQL that is started for them (see `conftest.py`)."""

PASSWORD = "loin+de:tout@regard"  # with signs that a URL must quote; never to be seen in any message
