"""What shells say of a program that a signal ended, on systems of other languages than English."""

from __future__ import annotations

KILLED = "已杀死|Getötet|Processus arrêté|Убито|Terminado \\(killed\\)|強制終了"
_FAULT = (
    "段错误|Speicherzugriffsfehler|Erreur de segmentation|Violación de segmento|Falha de segmentação"
    "|Ошибка сегментирования|세그멘테이션 오류"
)
_ABORTED = "已中止|已放弃|Abgebrochen|Abandon|Abortado|Аварийный останов|中止|중지됨"
# In brackets: that memory was written to a file.
FAULT = rf"(?:{_FAULT})(?: ?\(.{{1,100}}\))?"
ABORTED = rf"(?:{_ABORTED}) ?\(.{{1,100}}\)"
ANY = f"{KILLED}|{_FAULT}|{_ABORTED}"
