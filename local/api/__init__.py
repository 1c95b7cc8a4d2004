"""What the cloud's APIs are: names, versions, parameters, errors, signatures, the form of answers."""
