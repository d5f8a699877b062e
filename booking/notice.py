"""The privacy notice that a resident agrees to. Its version is stored with each reservation: change both together."""

VERSION = "2020-12-01"
