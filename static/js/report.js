// Draws the charts of a report with Plotly, in place of the pictures that are there without a script.
(() => {
  const data = JSON.parse(document.getElementById("charts").textContent);
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const probe = document.body.appendChild(document.createElement("i"));
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };

  function layout(small) {
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line-strong"), linecolor: colour("--line") };
    return {
      margin: { l: 56, r: 12, t: 8, b: small ? 28 : 44 },
      height: small ? 190 : 340,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style("--sans"), size: small ? 11 : 13, color: colour("--ink-2") },
      showlegend: !small && data.reward.length > 1,
      legend: { orientation: "h", y: 1.12 },
      hovermode: "x unified",
      xaxis: { ...axis, title: small ? undefined : { text: "Steps" }, nticks: small ? 5 : undefined },
      yaxis: { ...axis, automargin: true },
    };
  }

  function draw(place) {
    const traces = data[place.dataset.chart].map((trace, index) => ({
      ...trace,
      line: { width: 2, color: colour(`--series-${(index % 6) + 1}`) },
    }));
    if (!traces.length) return;
    place.replaceChildren();
    Plotly.newPlot(place, traces, layout("small" in place.dataset), { responsive: true, displayModeBar: false });
  }

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();
