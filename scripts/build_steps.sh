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

# What a user's `pip install .` makes; or, with `dev`, the core as the preset dev compiles it, with assertions, for
# tests: its objects come out of ccache.
pip_install() {
  local flavour=$1 settings=() each options=()
  settings=("build-dir=$build/python-$flavour" cmake.define.CMAKE_CXX_COMPILER_LAUNCHER=ccache
    cmake.define.CMAKE_EXPORT_COMPILE_COMMANDS=ON)
  if [[ $flavour == dev ]]; then
    settings+=(cmake.build-type=Debug "cmake.define.CMAKE_CXX_FLAGS=$(preset_value dev CMAKE_CXX_FLAGS)"
      "cmake.define.CMAKE_CXX_FLAGS_DEBUG=$(preset_value dev CMAKE_CXX_FLAGS_DEBUG)")
  fi
  # Debian 12's pip does not know the short -C.
  for each in "${settings[@]}"; do options+=("--config-settings=$each"); done
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-build-isolation --no-deps \
    --force-reinstall "${options[@]}" "$root"
}

preset_value() {
  "$venv/bin/python" -c 'import json, sys
presets = json.load(open("CMakePresets.json"))["configurePresets"]
print(next(p for p in presets if p["name"] == sys.argv[1])["cacheVariables"][sys.argv[2]])' "$@"
}

# install_python_package release|dev: into build/venv, and only when something of it has changed.
install_python_package() {
  local flavour=$1 wanted
  wanted="$flavour $(fingerprint CMakeLists.txt CMakePresets.json cmake pyproject.toml python include src README.md LICENSE)"
  up_to_date python "$wanted" && return
  phase "Install the Python package into build/venv ($flavour)" pip_install "$flavour"
  set_stamp python "$wanted"
}
