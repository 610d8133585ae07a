"""The pages; each module is a page or a part of one."""
