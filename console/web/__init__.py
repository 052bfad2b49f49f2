"""The web server: gunicorn, with a worker that spends no thread on a slow client."""
