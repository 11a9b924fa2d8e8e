"""The auth service of the Flask peer: GET /validate checks a token (HS256 and the time)."""
import base64
import hashlib
import hmac
import json
import os
import time

from flask import Flask, jsonify, request

app = Flask(__name__)
SECRET = os.environ["SECRET"].encode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(header):
    kind, _, token = header.partition(" ")
    parts = token.split(".")
    if kind != "Bearer" or len(parts) != 3:
        return None
    mac = hmac.new(SECRET, f"{parts[0]}.{parts[1]}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(mac, decoded(parts[2])):
        return None
    claims = json.loads(decoded(parts[1]))
    return claims if claims["exp"] > time.time() else None


@app.get("/validate")
def validate():
    claims = claims_of(request.headers.get("Authorization", ""))
    if claims is None:
        return jsonify(error="invalid token"), 401
    return jsonify(sub=claims["sub"])
