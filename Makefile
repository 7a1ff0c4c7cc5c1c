# `make demo` and `make test` do everything on a fresh machine; see README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SCREEN := sh tools/with-screen.sh

.PHONY: help demo test check format screenshots bench clean

help:
	@echo "make demo         a synthetic dataset in napari, ready to correct"
	@echo "make test         style, types and the whole test suite, windows included"
	@echo "make format       put the code into the project's format"
	@echo "make screenshots  make the pictures of README and docs again"
	@echo "make bench        speed side by side with other readers, and the reader tasks"

$(STAMP): pyproject.toml tools/setup.sh
	@PYTHON="$(PYTHON)" sh tools/setup.sh $(VENV)
	@touch $@

demo: $(STAMP)
	@sh tools/demo.sh $(BIN)

test: $(STAMP) check
	QT_QPA_PLATFORM=offscreen $(SCREEN) $(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/npe2 validate napari-chest

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: $(STAMP)
	$(SCREEN) $(BIN)/python docs/screenshots.py

bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python benchmarks/dicom_series.py
	$(BIN)/python benchmarks/nifti.py
	$(BIN)/python benchmarks/dicom_tree.py
	$(BIN)/python benchmarks/mdai_json.py
	$(BIN)/python benchmarks/dicom_seg.py
	$(BIN)/python benchmarks/history.py
	$(BIN)/python benchmarks/tools_grow.py
	$(BIN)/python benchmarks/tools_shape.py
	$(BIN)/python benchmarks/lungs.py
	$(BIN)/python benchmarks/agreement.py
	$(SCREEN) $(BIN)/python benchmarks/planes.py
	$(SCREEN) $(BIN)/python benchmarks/brush.py
	$(SCREEN) $(BIN)/python benchmarks/tools_window.py
	$(SCREEN) $(BIN)/python benchmarks/work_list.py
	$(SCREEN) $(BIN)/python benchmarks/window.py
	$(SCREEN) $(BIN)/python benchmarks/reader_tasks.py

clean:
	rm -rf $(VENV) demo dist build .pytest_cache .mypy_cache .ruff_cache
