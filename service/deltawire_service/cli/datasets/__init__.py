"""The commands `deltawire datasets …`: tables that a service, or a folder of this machine, keeps."""
