"""The coach's dashboard: queue, running task, evidence, review and cost on the whole terminal. Needs the extra `dashboard`."""
