"""Jobs in processes of their own, forked from interpreters that are kept warm.

The command starts slots (`slots`), so many as jobs may run side by side. A slot (`slot`) imports
what the tools of the plan name beforehand (`warming`), forks a process for each job (`child`), and
watches over it until nothing of it is left (`supervision`). Both talk over a socket (`messages`).

A job gets an interpreter of its own, instead of a fork, wherever a fork could show it something
else (`safety`, `warming`):

- its script, or a module beside it, sets environment variables, changes where or how modules are
  found, or loads libraries by itself; or has a neighbour with the name of an installed package;
- what is imported beforehand fails, leaves threads or opens a device;
- the system is not Linux, or ``--executor-args fresh`` says so.

Forks of one slot have the same seed for the hashes of strings, and the same addresses.
"""
