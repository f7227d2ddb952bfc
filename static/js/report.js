// Draws the charts of a report with Plotly, in place of the pictures that are there without a script.
(() => {
  const data = JSON.parse(document.getElementById("charts").textContent);
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const probe = document.body.appendChild(document.createElement("i"));
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };

  // A line down the chart where an attempt took over, named once.
  function seams(traces, small) {
    const first = new Map();
    for (const [attempt, step] of traces.flatMap(({ meta }) => meta.seams)) first.set(attempt, Math.min(step, first.get(attempt) ?? step));
    const shapes = [...first.values()].map((x) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: colour("--ink-3"), width: 1, dash: "dot" } }));
    const annotations = small ? [] : [...first].map(([attempt, x]) => ({ x, y: 1, yref: "paper", text: `attempt ${attempt}`, showarrow: false, xanchor: "left", yanchor: "top", font: { size: 11, color: colour("--ink-3") } }));
    return { shapes, annotations };
  }

  function layout(small) {
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line-strong"), linecolor: colour("--line") };
    return {
      margin: { l: 56, r: 12, t: 8, b: small ? 28 : 44 },
      height: small ? 190 : 340,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style("--sans"), size: small ? 11 : 13, color: colour("--ink-2") },
      showlegend: !small && data.reward.filter(({ name }) => name).length > 1,
      legend: { orientation: "h", y: 1.12 },
      hovermode: "x unified",
      xaxis: { ...axis, title: small ? undefined : { text: "Steps" }, nticks: small ? 5 : undefined },
      yaxis: { ...axis, automargin: true },
    };
  }

  function draw(place) {
    const small = "small" in place.dataset;
    const traces = data[place.dataset.chart].map((trace) => ({
      ...trace,
      line: { width: 2, color: colour(`--series-${(trace.meta.colour % 6) + 1}`) },
    }));
    if (!traces.length) return;
    place.replaceChildren();
    Plotly.newPlot(place, traces, { ...layout(small), ...seams(traces, small) }, { responsive: true, displayModeBar: false });
  }

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();
