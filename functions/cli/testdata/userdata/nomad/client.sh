#!/bin/sh
/opt/nomad/bin/run-nomad --client
