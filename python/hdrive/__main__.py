# SPDX-License-Identifier: Apache-2.0
"""`python -m hdrive`: the command."""

from hdrive._command import main

main()
