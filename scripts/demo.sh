#!/usr/bin/env bash
# ./dev demo: stepstore's main job on the bundled recording. Ends with a table of the session's steps.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

recording=pg-tour
demo=$build/demo

bash scripts/setup.sh base
source scripts/build_steps.sh
build_preset release
link_command release
install_python_package release

unpack() {
  rm -rf "$demo"
  mkdir -p "$demo"
  tar --zstd -xf "samples/$recording.tar.zst" -C "$demo"
  mv "$demo/$recording" "$demo/recording"
  mkdir "$demo/recordings"
  mv "$demo/recording" "$demo/recordings/$recording"
}

compare() {
  diff -r --exclude=metadata.json "$demo/recordings" "$demo/exported"
  # The store keeps metadata as a JSON value: compared as one.
  "$venv/bin/python" scripts/same_json.py "$demo/recordings" "$demo/exported" metadata.json
}

phase "Unpack samples/$recording.tar.zst" unpack
phase 'Import it into a new store' "$build/stepstore" import "$demo/store" "$demo/recordings"
phase 'Import it again (nothing is stored twice)' "$build/stepstore" import "$demo/store" "$demo/recordings"
phase 'Check every checksum' "$build/stepstore" check "$demo/store" --data
phase 'Export it' "$build/stepstore" export "$demo/store" "$recording" "$demo/exported"
phase 'Compare what was exported with the recording' compare
say ''
"$venv/bin/python" scripts/demo_table.py "$demo/store" "$recording" "$demo/recordings/$recording"
say_total './dev demo'
say "
The steps lie in build/demo/store/$recording, one folder each, as files that you can open:
  xdg-open build/demo/store/$recording/step_0000/observation.html
Try next:
  build/stepstore ls build/demo/store $recording --long
  build/stepstore get build/demo/store $recording step_0003 --component action
  build/venv/bin/python -c '
from stepstore import StorageManager
with StorageManager(\"build/demo/store\") as store:
    print(store.retrieve_step_data(\"$recording\", \"step_0003\").action_data)'"
