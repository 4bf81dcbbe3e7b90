"""payresult: the operators' tool. It asks, explains and sets payments moving again.

``app`` names the commands; each is a module. What they decide with is the layer's own code;
``system`` finds the deployment, ``desk`` is what a command speaks through, and ``trouble`` turns
what goes wrong into one line.
"""
