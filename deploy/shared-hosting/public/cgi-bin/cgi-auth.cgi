#!/bin/sh
# Nothing to edit here: the program, its settings and its files are outside the web root.
case $0 in */*) cd "${0%/*}" || exit 1 ;; esac
exec ../../gatehouse/start cgi-auth
