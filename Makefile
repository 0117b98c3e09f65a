# Every target prints the plain command that it runs; `make help` lists them.
# INVENTORY=inventories/x takes another inventory, ARGS="…" goes on to Ansible (--check, --limit, -e): with
# ARGS="-e local_instance_name=other" every target is about another instance.
SHELL := /bin/bash
INVENTORY ?= inventories/local
ARGS ?=
PLAY = .venv/bin/ansible-playbook -i $(INVENTORY)
ROOT = $(if $(filter 0,$(shell id -u)),,$(error It makes namespaces and mounts, so it needs root: sudo make $(MAKECMDGOALS)))
NEED = $(if $($(1)),,$(error `make $@` needs $(1)=…, for example `make $@ $(1)=$(2)`))
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export LC_ALL ?= C.UTF-8
FAULTS := down up freeze thaw cut heal slow

.DEFAULT_GOAL := help
.PHONY: help setup programs site status debug client shell drill scale-drill test test-all clean region-logs \
	open-prometheus open-alertmanager open-zipkin $(addprefix region-,$(FAULTS))

help: ## List the targets
	@sed -n 's/^\([a-z$$()%, -]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## Install what a run needs: packages, a virtual environment, Go
	@$(ROOT)
	scripts/setup.sh

programs: setup ## Get the programs that nodes run, into the cache: downloaded or built
	$(PLAY) playbooks/programs.yml $(ARGS)

site: setup ## Bring every region and the front door up and verify them
	$(PLAY) site.yml $(ARGS)

status: setup ## Regions, nodes and what the front door answers
	$(PLAY) playbooks/status.yml $(ARGS)

debug: setup ## Look at everything of a site in trouble; a page, and a bundle without secrets
	$(PLAY) debug.yml $(ARGS)

client: setup ## A shell in the client of a geography, GEO=na|eu|as|other; CMD='…' runs one command
	@$(call NEED,GEO,eu)
	.venv/bin/python scripts/node.py client-$(GEO) -i $(INVENTORY) $(ARGS) $(if $(CMD),-- bash -c '$(CMD)')

shell: setup ## A shell in any node, NODE=edge-1; CMD='…' runs one command
	@$(call NEED,NODE,edge-1)
	.venv/bin/python scripts/node.py $(NODE) -i $(INVENTORY) $(ARGS) $(if $(CMD),-- bash -c '$(CMD)')

open-prometheus open-alertmanager open-zipkin: setup ## A door to it on 127.0.0.1 until Ctrl-C; PORT=… chooses another port
	.venv/bin/python scripts/open.py $(@:open-%=%) $(PORT)

drill: setup ## A fault under load, and a report (FAULT=down, cut, errors …: docs/runbooks/drills.md; REGION=…)
	$(PLAY) playbooks/drill.yml -e drill_fault=$(or $(FAULT),down) $(if $(REGION),-e drill_target=$(REGION)) $(ARGS)

scale-drill: setup ## One region's load grows and goes back, and a report how it scales (REGION=…)
	$(PLAY) playbooks/scale_drill.yml $(if $(REGION),-e drill_region=$(REGION)) $(ARGS)

# region-down, -up, -freeze, -thaw, -cut, -heal, -slow: a fault of any node, or its end; FROM='["edge-1"]' bounds a cut.
$(addprefix region-,$(FAULTS)): setup
	@$(call NEED,REGION,eu-west-1)
	$(PLAY) playbooks/fault.yml -e fault_node=$(REGION) -e fault_state=$(@:region-%=%) $(if $(FROM),-e '{"fault_others": $(FROM)}') $(ARGS)

region-logs: setup ## The last log lines of a region's services, REGION=…, or of one SERVICE=…
	@$(call NEED,REGION,eu-west-1)
	$(PLAY) playbooks/logs.yml -e logs_node=$(REGION) $(if $(SERVICE),-e logs_service=$(SERVICE)) $(ARGS)

test: setup ## Static checks, unit tests, molecule, end to end: all in bounded time
	scripts/setup.sh --dev
	.venv/bin/python scripts/test.py $(STAGES)

test-all: setup ## The same and what takes longer
	scripts/setup.sh --dev
	.venv/bin/python scripts/test.py --all $(STAGES)

clean: setup ## Take everything away but the cache
	$(PLAY) playbooks/clean.yml $(ARGS)
