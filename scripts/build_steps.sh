# shellcheck shell=bash
# What several scripts build: a CMake preset, the command's link, the Python package.

# Configures again when a CMake file is newer than the last time; ninja alone would see that too, but not
# that a preset has changed.
configure_preset() {
  local preset=$1 wanted
  wanted=$(sha256sum CMakePresets.json)
  if [[ ! -f $build/$preset/build.ninja ]] || ! up_to_date "configured-$preset" "$wanted"; then
    phase "Configure ($preset)" cmake --preset "$preset"
    set_stamp "configured-$preset" "$wanted"
  fi
}

build_preset() {
  local preset=$1
  configure_preset "$preset"
  phase "Build ($preset)" cmake --build --preset "$preset"
}

link_command() { ln -sfn "$1/cli/stepstore" "$build/stepstore"; }

pip_install() {
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-build-isolation --no-deps \
    --force-reinstall -C build-dir="$build/python" -C cmake.define.CMAKE_CXX_COMPILER_LAUNCHER=ccache \
    -C cmake.define.CMAKE_EXPORT_COMPILE_COMMANDS=ON "$root"
}

# Installs the package as a user's `pip install .` would, and only when something of it has changed.
install_python_package() {
  local wanted
  wanted=$(fingerprint CMakeLists.txt cmake pyproject.toml python include src README.md LICENSE)
  up_to_date python "$wanted" && return
  phase 'Install the Python package into build/venv' pip_install
  set_stamp python "$wanted"
}
