"use strict";
// Sorting, values under the pointer, a slider along series that were computed beforehand. The page is
// complete without it.
(function () {
  document.querySelectorAll("table.sort").forEach(function (table) {
    var body = table.tBodies[0];
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      if (head.tagName !== "TH") return;
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        Array.prototype.forEach.call(head.parentNode.cells, function (cell) { cell.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var value = function (row) {
          var cell = row.cells[column];
          return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
        };
        Array.prototype.slice.call(body.rows).sort(function (a, b) {
          var x = value(a), y = value(b);
          // What has no number stands last, whichever way.
          if (x === null && y !== null) return 1;
          if (x !== null && y === null) return -1;
          var order = x === null ? a.cells[column].textContent.localeCompare(b.cells[column].textContent) : x - y;
          return down ? -order : order;
        }).forEach(function (row) { body.appendChild(row); });
      });
    });
  });
  document.querySelectorAll("figure.chart > script").forEach(function (holder) {
    var data = JSON.parse(holder.textContent), figure = holder.parentNode;
    if (!data.x.length) return;
    var box = document.createElement("div"), label = document.createElement("label");
    var name = document.createElement("span"), input = document.createElement("input"), out = document.createElement("output");
    box.className = "read";
    name.textContent = data.label;
    input.type = "range";
    input.min = 0;
    input.max = data.x.length - 1;
    input.value = data.start;
    label.appendChild(name);
    label.appendChild(input);
    box.appendChild(label);
    box.appendChild(out);
    figure.insertBefore(box, holder);
    var guides = Array.prototype.map.call(figure.querySelectorAll("svg"), function (svg, n) {
      var guide = document.createElementNS("http://www.w3.org/2000/svg", "line");
      var area = data.area[n];
      guide.setAttribute("class", "guide");
      guide.setAttribute("y1", area[2]);
      guide.setAttribute("y2", area[3]);
      guide.style.display = "none";
      svg.appendChild(guide);
      var move = function (event) {
        var from = svg.getBoundingClientRect();
        var at = (event.clientX - from.left) / from.width * svg.viewBox.baseVal.width;
        var share = (at - area[0]) / (area[1] - area[0]), best = 0;
        data.at.forEach(function (place, n) { if (Math.abs(place - share) < Math.abs(data.at[best] - share)) best = n; });
        input.value = best;
        show();
      };
      svg.addEventListener("pointermove", move);
      svg.addEventListener("pointerdown", move);
      return [guide, area];
    });
    function show() {
      var n = Number(input.value);
      out.textContent = "";
      var place = document.createElement("b");
      place.textContent = data.x[n];
      out.appendChild(place);
      data.series.forEach(function (series) {
        if (series.t[n] === null) return;
        out.appendChild(document.createTextNode(" · " + series.name + ": "));
        var value = document.createElement("b");
        value.textContent = series.t[n];
        out.appendChild(value);
      });
      input.setAttribute("aria-valuetext", out.textContent);
      guides.forEach(function (guide) {
        var x = guide[1][0] + data.at[n] * (guide[1][1] - guide[1][0]);
        guide[0].setAttribute("x1", x);
        guide[0].setAttribute("x2", x);
        guide[0].style.display = "";
      });
    }
    input.addEventListener("input", show);
    show();
  });
})();
