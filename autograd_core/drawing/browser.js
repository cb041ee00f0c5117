// Graphviz, compiled to WebAssembly, run by the browser itself
// bytes of the module -> (DOT text, format) -> text
(bytes) => {
  let memory;
  const numbers = () => new DataView(memory.buffer);
  const zero = (...places) => places.forEach((place) => numbers().setUint32(place, 0, true)) || 0;
  const noFile = () => 8;
  const wasi = {
    environ_get: () => 0,
    environ_sizes_get: (count, size) => zero(count, size),
    clock_time_get: (clock, precision, time) => numbers().setBigUint64(time, 0n, true) || 0,
    random_get: () => 0,
    proc_exit: (code) => { throw new Error(`Graphviz ended with ${code}`); },
    fd_write: (file, parts, count, written) => {
      let size = 0;
      for (let i = 0; i < count; i++) size += numbers().getUint32(parts + 8 * i + 4, true);
      return numbers().setUint32(written, size, true) || 0;
    },
  };
  const files = ["fd_close", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_filestat_get", "fd_read",
    "fd_prestat_get", "fd_prestat_dir_name", "fd_seek", "path_filestat_get", "path_open"];
  files.forEach((name) => { wasi[name] = noFile; });
  const module = new WebAssembly.Module(bytes);
  const graphviz = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi }).exports;
  memory = graphviz.memory;
  const text = (start, size) => new TextDecoder().decode(new Uint8Array(memory.buffer, start, size));
  const write = (string) => {
    const letters = new TextEncoder().encode(string + "\0"), start = graphviz.malloc(letters.length);
    new Uint8Array(memory.buffer, start, letters.length).set(letters);
    return start;
  };
  return (source, format) => {
    const places = [write(source), write(format), write("dot"), graphviz.malloc(4)];
    const out = graphviz.graphviz_render(...places);
    const size = numbers().getUint32(places[3], true);
    places.forEach((place) => graphviz.graphviz_free(place));
    if (!out) {
      const reason = graphviz.graphviz_last_error();
      throw new Error(text(reason, new Uint8Array(memory.buffer, reason).indexOf(0)));
    }
    const drawn = text(out, size);
    graphviz.graphviz_free(out);
    return drawn;
  };
};
