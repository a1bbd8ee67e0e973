"""What people do on one pilot network; each module names its people apart."""
