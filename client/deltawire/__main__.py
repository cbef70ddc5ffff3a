"""Run the command `deltawire` as a module: `python -m deltawire plan request.json`."""

import sys

try:
    from deltawire_service.cli import main
except ModuleNotFoundError:
    sys.exit("the command line comes with the service: pip install 'deltawire[service]'")

if __name__ == "__main__":
    main()
